/** Which Holdfast this is: the version of `deno.json`, which is imported, so that saying it takes no permission. */
import project from "../../deno.json" with { type: "json" };

/** Such as `0.1.0`. */
export const VERSION: string = project.version;
