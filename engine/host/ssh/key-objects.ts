import { createSecretKey } from "node:crypto";
import type { Client } from "ssh2";

/** Where ssh2 1.17 keeps the keys of AES-GCM by Node's own crypto. */
interface Internals {
  readonly _protocol?: {
    readonly _cipher?: { _encKey?: unknown };
    readonly _decipher?: { _decipherKey?: unknown };
  };
}

/**
 * Gives ssh2 its keys as key objects. For AES-GCM it makes a new cipher of Node's for every packet: from a key's raw
 * bytes that takes Node as long as the encryption itself, from a key object a tenth of it. Where ssh2 is another one
 * some day, or keeps other keys, it is left alone. Keys are agreed on anew now and then, hence the event.
 */
export const useKeyObjects = (client: Client): void => {
  client.on("handshake", () => {
    const { _cipher, _decipher } = (client as unknown as Internals)._protocol ?? {};
    if (_cipher?._encKey instanceof Uint8Array) _cipher._encKey = createSecretKey(_cipher._encKey);
    if (_decipher?._decipherKey instanceof Uint8Array)
      _decipher._decipherKey = createSecretKey(_decipher._decipherKey);
  });
};
