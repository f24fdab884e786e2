import { createCipheriv, createSecretKey, randomFillSync } from "node:crypto";
import type { Client } from "ssh2";

/** ssh2 1.17's cipher of outgoing packets, where it is AES-GCM by Node's own crypto. */
interface GcmCipher {
  outSeqno: number;
  readonly _encSSLName: "aes-128-gcm" | "aes-256-gcm";
  readonly _encKey: Uint8Array;
  /** The counter in it goes up by one with each packet. */
  readonly _encIV: Uint8Array;
  readonly _dead: boolean;
  readonly _onWrite: (data: Uint8Array) => void;
  allocPacket(payloadLength: number): Buffer;
  encrypt(packet: Buffer): void;
}

interface Internals {
  readonly _protocol?: {
    readonly _cipher?: object;
    readonly _decipher?: { _decipherKey?: unknown };
  };
}

/**
 * Makes AES-GCM cost half. ssh2 makes a new cipher of Node's for every packet: from a key's raw bytes that takes Node
 * as long as the encryption, from a key object a tenth of it. It also takes new memory for every packet, and asks the
 * system for the few random bytes of its padding. The bytes on the wire are the same. Where ssh2 is another one some
 * day, or has its own compiled code, it is left alone. Keys are agreed on anew now and then, hence the event.
 */
export const quickenGcm = (client: Client): void => {
  client.on("handshake", () => {
    const { _cipher, _decipher } = (client as unknown as Internals)._protocol ?? {};
    if (_cipher !== undefined && isGcm(_cipher)) quicken(_cipher);
    if (_decipher?._decipherKey instanceof Uint8Array)
      _decipher._decipherKey = createSecretKey(_decipher._decipherKey);
  });
};

const isGcm = (cipher: object): cipher is GcmCipher =>
  cipher.constructor.name === "AESGCMCipherNative" &&
  "_encKey" in cipher &&
  cipher._encKey instanceof Uint8Array &&
  "_encIV" in cipher &&
  cipher._encIV instanceof Uint8Array &&
  cipher._encIV.length === 12;

/** A packet before it is encrypted: its length (4 bytes), the padding's (1), payload, padding; RFC 4253, 5647. */
const HEAD = 5;
const AES_BLOCK = 16;
const LEAST_PADDING = 4;
/** Packets from here on use memory again: nearly all of a transfer's are of one size. */
const LARGE = 16 * 1024;
const KEPT = 4;

function quicken(cipher: GcmCipher): void {
  const key = createSecretKey(cipher._encKey);
  const { _encSSLName: name, _encIV: iv } = cipher;
  const used = new Map<number, Buffer[]>();
  const random = new Padding();

  cipher.allocPacket = (payload) => {
    const bare = AES_BLOCK - ((HEAD - 4 + payload) % AES_BLOCK);
    const padding = bare < LEAST_PADDING ? bare + AES_BLOCK : bare;
    const length = HEAD + payload + padding;
    const packet = used.get(length)?.pop() ?? Buffer.allocUnsafe(length);
    packet.writeUInt32BE(length - 4, 0);
    packet[4] = padding;
    random.copyTo(packet, HEAD + payload);
    return packet;
  };

  cipher.encrypt = (packet) => {
    if (cipher._dead) return;
    // A copy, as the packet's memory may be used again before this is on its way.
    const length = Buffer.from(packet.subarray(0, 4));
    const encryption = createCipheriv(name, key, iv).setAAD(length);
    cipher._onWrite(length);
    cipher._onWrite(encryption.update(packet.subarray(4)));
    encryption.final();
    cipher._onWrite(encryption.getAuthTag());
    countUp(iv);
    cipher.outSeqno = (cipher.outSeqno + 1) >>> 0;
    if (packet.length >= LARGE) keep(used, packet);
  };
}

function keep(used: Map<number, Buffer[]>, packet: Buffer): void {
  const alike = used.get(packet.length);
  if (alike === undefined) used.set(packet.length, [packet]);
  else if (alike.length < KEPT) alike.push(packet);
}

/** The invocation counter: the last eight bytes, the first four stay. A nonce must never be used twice. */
function countUp(iv: Uint8Array): void {
  for (let at = 11; at >= 4; at--) {
    const next = ((iv[at] ?? 0) + 1) & 0xff;
    iv[at] = next;
    if (next !== 0) return;
  }
}

/** Random bytes, asked for many at a time. */
class Padding {
  readonly #bytes = Buffer.allocUnsafeSlow(4096);
  #at = this.#bytes.length;

  copyTo(packet: Buffer, from: number): void {
    const length = packet.length - from;
    if (this.#at + length > this.#bytes.length) {
      randomFillSync(this.#bytes);
      this.#at = 0;
    }
    this.#bytes.copy(packet, from, this.#at, this.#at + length);
    this.#at += length;
  }
}
