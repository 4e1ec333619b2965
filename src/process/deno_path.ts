/**
 * Prints the path of the `deno` that runs it, for the task `start:workers`: the supervisor may run this very program.
 * `--allow-run=deno` would be another one where the first `deno` in PATH is a script, as that of npm's package is.
 */
console.log(Deno.execPath());
