/** The entry of the page. */
import "./shell/console_frame.ts";
