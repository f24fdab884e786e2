import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { extract, type Header, type Pack, pack } from "tar-stream";

/** One entry of a tar: a file of this machine or given content, a folder, or a link. */
export type Member =
  | { readonly name: string; readonly mode: number; readonly file: string }
  | { readonly name: string; readonly mode: number; readonly content: string }
  | { readonly name: string; readonly mode: number; readonly directory: true }
  | { readonly name: string; readonly linkTo: string };

/** Nothing of when and by whom a tar was packed goes into it: the same members give the same bytes. */
const NOBODY_NEVER = { uid: 0, gid: 0, uname: "", gname: "", mtime: new Date(0) } as const;

/** A tar of the members, sorted by name. */
export function packed(members: readonly Member[]): Pack {
  const tar = pack();
  const sorted = members.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  void addAll(tar, sorted);
  return tar;
}

async function addAll(tar: Pack, members: readonly Member[]): Promise<void> {
  try {
    for (const member of members) await add(tar, member);
    tar.finalize();
  } catch (error) {
    tar.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

async function add(tar: Pack, member: Member): Promise<void> {
  const { name } = member;
  if ("file" in member) {
    const { size } = await stat(member.file);
    const entry = tar.entry({ ...NOBODY_NEVER, name, mode: member.mode, size });
    await pipeline(createReadStream(member.file, { highWaterMark: 1 << 20 }), entry);
  } else if ("content" in member)
    tar.entry({ ...NOBODY_NEVER, name, mode: member.mode }, member.content);
  else if ("directory" in member)
    tar.entry({ ...NOBODY_NEVER, name, mode: member.mode, type: "directory" });
  else tar.entry({ ...NOBODY_NEVER, name, mode: 0o777, type: "symlink", linkname: member.linkTo });
}

/** Writes a .tar.gz; gzip's own header holds no time either. */
export const writeTgz = (to: string, members: readonly Member[]): Promise<void> =>
  pipeline(packed(members), createGzip({ level: 1 }), createWriteStream(to));

/** Takes one file out of a .tar.gz; a leading "./" of names does not count. False where it is not in it. */
export async function unpackMember(archive: string, name: string, to: string): Promise<boolean> {
  await mkdir(dirname(to), { recursive: true });
  const tar = extract();
  const feeding = pipeline(createReadStream(archive), createGunzip(), tar);
  let found = false;
  for await (const entry of tar) {
    if (entry.header.name.replace(/^\.\//, "") === name) {
      found = true;
      await pipeline(entry, createWriteStream(to, { mode: 0o755 }));
    } else entry.resume();
  }
  await feeding;
  return found;
}

/** The same tar without what `keep` refuses, owned by root, with no times. */
export function repacked(tar: Readable, keep: (header: Header) => boolean): Pack {
  const out = pack();
  const work = async () => {
    const source = extract();
    const feeding = pipeline(tar, source);
    for await (const entry of source) {
      const { header } = entry;
      if (keep(header)) {
        const { name, mode, size, type, linkname } = header;
        const kept = { ...NOBODY_NEVER, name, mode, size, type, linkname };
        await pipeline(entry, out.entry(kept));
      } else entry.resume();
    }
    await feeding;
    out.finalize();
  };
  work().catch((error: unknown) =>
    out.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  return out;
}
