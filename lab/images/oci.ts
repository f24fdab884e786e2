import { createHash, type Hash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createZstdCompress } from "node:zlib";
import type { Pack } from "tar-stream";
import type { Arch } from "../artifacts/artifact.ts";

/** How the parts of an image name each other. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

/** How a container of the image starts. */
export interface ImageConfig {
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly User?: string;
}

/** The bytes of a tar. */
type Tar = Readable | Pack;

interface ImageContent {
  readonly arch: Arch;
  readonly config: ImageConfig;
  /** Plain tars, lowest first. */
  readonly layers: readonly Tar[];
}

const MEDIA = "application/vnd.oci.image";

/** Where a blob stands in an OCI image layout. */
export const blobPath = (dir: string, digest: string): string =>
  join(dir, "blobs", ...digest.split(":"));

/**
 * Writes an image as an OCI layout and returns its manifest. The same content gives the same digest. Layers are
 * compressed with zstd: smaller than gzip's, and a host on two busy cores unpacks them in a third of the time.
 */
export async function writeImage(dir: string, content: ImageContent): Promise<Descriptor> {
  await mkdir(join(dir, "blobs", "sha256"), { recursive: true });
  const layers = [];
  for (const tar of content.layers) layers.push(await writeLayer(dir, tar));
  const config = await writeBlob(dir, `${MEDIA}.config.v1+json`, {
    architecture: content.arch,
    os: "linux",
    config: { Env: [`PATH=${PATH}`], ...content.config },
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
  });
  const manifest = await writeBlob(dir, `${MEDIA}.manifest.v1+json`, {
    schemaVersion: 2,
    mediaType: `${MEDIA}.manifest.v1+json`,
    config,
    layers: layers.map(({ descriptor }) => descriptor),
  });
  await writeFile(join(dir, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}\n');
  const index = { schemaVersion: 2, mediaType: `${MEDIA}.index.v1+json`, manifests: [manifest] };
  await writeFile(join(dir, "index.json"), `${JSON.stringify(index)}\n`);
  return manifest;
}

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/";

async function writeLayer(dir: string, tar: Tar) {
  const [plain, compressed] = [createHash("sha256"), createHash("sha256")];
  const partial = join(dir, "blobs", "partial");
  let size = 0;
  const compress = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 3 } });
  const counted = hashing(compressed, (bytes) => {
    size += bytes;
  });
  await pipeline(tar, hashing(plain), compress, counted, createWriteStream(partial));
  const digest = `sha256:${compressed.digest("hex")}`;
  await rename(partial, blobPath(dir, digest));
  const descriptor: Descriptor = { mediaType: `${MEDIA}.layer.v1.tar+zstd`, digest, size };
  return { descriptor, diffId: `sha256:${plain.digest("hex")}` };
}

const hashing = (hash: Hash, count: (bytes: number) => void = () => {}): Transform =>
  new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      hash.update(chunk);
      count(chunk.length);
      done(null, chunk);
    },
  });

async function writeBlob(dir: string, mediaType: string, content: unknown): Promise<Descriptor> {
  const bytes = Buffer.from(JSON.stringify(content));
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  await writeFile(blobPath(dir, digest), bytes);
  return { mediaType, digest, size: bytes.length };
}
