import { openAsBlob } from "node:fs";
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { PlaybookError } from "#engine/errors/error.ts";
import { reasonOf } from "../artifacts/http.ts";
import { reported } from "../artifacts/reported.ts";
import type { Image } from "../images/images.ts";
import { blobPath, type Descriptor } from "../images/oci.ts";
import type { ReportProgress } from "../progress.ts";

/** One transfer over the loopback or the lab's bridge: far more than the largest layer needs. */
const TRANSFER_MS = 120_000;

/** Where an image is in the lab's registry: its name without the host that it has upstream, and its tag. */
export function registryName(ref: string): { readonly name: string; readonly tag: string } {
  const [, name, tag] = /^[^/]+\/(.+):([\w.-]+)$/.exec(ref) ?? [];
  if (name === undefined || tag === undefined) throw new Error(`"${ref}" is not HOST/NAME:TAG`);
  return { name, tag };
}

/** Brings the images into the registry, as the OCI distribution API has it; what it has already is not sent. */
export async function pushImages(
  registryUrl: string,
  images: Readonly<Record<string, Image>>,
  report: ReportProgress,
): Promise<void> {
  for (const image of Object.values(images)) {
    const { name, tag } = registryName(image.ref);
    const registry = new Repository(new URL(`/v2/${name}/`, registryUrl));
    const label = `push ${image.ref}`;
    if ((await registry.digestOf(tag, image.manifest)) === image.manifest.digest)
      report({ type: "done", label, ms: 0, cached: true });
    else await reported({ report, label }, () => push(registry, image, tag));
  }
}

const Manifest = z.object({
  config: z.object({ digest: z.string() }),
  layers: z.array(z.object({ digest: z.string() })),
});

async function push(registry: Repository, { dir, manifest }: Image, tag: string): Promise<void> {
  const bytes = await readFile(blobPath(dir, manifest.digest));
  const { config, layers } = Manifest.parse(JSON.parse(bytes.toString()));
  for (const { digest } of [...layers, config])
    if (!(await registry.has(digest))) await registry.upload(digest, blobPath(dir, digest));
  await registry.putManifest(tag, bytes, manifest.mediaType);
}

/** One repository of a registry. */
class Repository {
  readonly #root: URL;

  constructor(root: URL) {
    this.#root = root;
  }

  async digestOf(tag: string, { mediaType }: Descriptor): Promise<string | undefined> {
    const answer = await this.#call(
      `manifests/${tag}`,
      { method: "HEAD", headers: { accept: mediaType } },
      [200, 404],
    );
    return answer.status === 200
      ? (answer.headers.get("docker-content-digest") ?? undefined)
      : undefined;
  }

  async has(digest: string): Promise<boolean> {
    return (await this.#call(`blobs/${digest}`, { method: "HEAD" }, [200, 404])).status === 200;
  }

  async upload(digest: string, path: string): Promise<void> {
    const begun = await this.#call("blobs/uploads/", { method: "POST" }, [202]);
    const target = new URL(begun.headers.get("location") ?? "", this.#root);
    target.searchParams.set("digest", digest);
    const headers = { "content-type": "application/octet-stream" };
    await this.#call(target, { method: "PUT", headers, body: await openAsBlob(path) }, [201]);
  }

  async putManifest(tag: string, bytes: Buffer<ArrayBuffer>, mediaType: string): Promise<void> {
    const headers = { "content-type": mediaType };
    await this.#call(`manifests/${tag}`, { method: "PUT", headers, body: bytes }, [201]);
  }

  async #call(
    path: string | URL,
    init: RequestInit,
    expected: readonly number[],
  ): Promise<Response> {
    const url = new URL(path, this.#root);
    const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(TRANSFER_MS) }).catch(
      (error: unknown) => {
        const details: [string, string] = [this.#root.origin, reasonOf(error)];
        throw new PlaybookError("PB_REGISTRY_UNREACHABLE", details, {}, { cause: error });
      },
    );
    const said = await answer.text();
    if (expected.includes(answer.status)) return answer;
    const what = `${init.method} ${url.pathname}`;
    throw new PlaybookError("PB_REGISTRY_REFUSED", [what, answer.status, said.slice(0, 500)]);
  }
}
