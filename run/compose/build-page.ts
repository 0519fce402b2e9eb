/** Builds the page into the image, where the modules for it are not kept. */
import { buildPage } from "../page.ts";

await buildPage();
