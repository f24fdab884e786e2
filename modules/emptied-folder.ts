/** Folders that programs filled. They may be mount points, with a disk of their own: what is in them goes, they stay. */
import { type Change, type Host, run, script } from "#engine/index.ts";

const FILLED = `# folders-filled
for folder; do
  [ -n "$(find "$folder" ! -type d -print -quit 2>/dev/null)" ] && echo "$folder"
done
true`;

const EMPTY = `# folder-empty
if [ -d "$1" ]; then
  find "$1" -xdev -mindepth 1 -depth -delete
else
  rm -f "$1"
fi`;

/** Those of them that hold files, however deep; a file counts as filled. */
export async function filledFolders(host: Host, folders: readonly string[]): Promise<string[]> {
  return (await host.text(script(FILLED, ...folders))).split("\n").filter(Boolean);
}

/** Takes away all that is in it. */
export const emptyFolder = (folder: string): Change =>
  run(script(EMPTY, folder), `${folder}: filled → empty`, { timeout: "5m" });
