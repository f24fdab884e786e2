import { expect, test } from "vitest";
import { canonicalUrl } from "#engine/net/url-host.ts";

test.each([
  ["http://[2001:DB8:0::01]:3142/Debian", "http://[2001:db8::1]:3142/Debian"],
  ["HTTPS://Mirror.Example.NET/A?b=C#D", "https://mirror.example.net/A?b=C#D"],
  ["http://user:Pass@[FD00::1]", "http://user:Pass@[fd00::1]"],
  ["http://[fe80::1%25eth0]:80/", "http://[fe80::1%25eth0]:80/"],
  ["http://192.0.2.1/x", "http://192.0.2.1/x"],
])("%s is %s, and stays so", (written, canonical) => {
  expect(canonicalUrl(written)).toBe(canonical);
  expect(canonicalUrl(canonical)).toBe(canonical);
});
