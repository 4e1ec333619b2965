/** The role that the server works as; the migrations grant to it, and `migrate` makes it. */
export const SERVER_ROLE = "holdfast_server";
