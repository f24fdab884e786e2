/** Writes the pages that are made from code: `npm run docs`. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { pages } from "./pages.ts";

const folder = import.meta.dirname;

await rm(`${folder}/modules`, { recursive: true, force: true });
for (const [path, text] of Object.entries(pages())) {
  await mkdir(new URL(".", `file://${folder}/${path}`), { recursive: true });
  await writeFile(`${folder}/${path}`, text);
}
