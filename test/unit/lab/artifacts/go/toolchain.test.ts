import { expect, test } from "vitest";
import { checkGoVersion } from "#lab/artifacts/go/toolchain.ts";

test.each(["go1.21", "go1.26.8", "go1.27rc1", "go2.0", "devel go1.28-abc"])(
  "%s will do",
  (version) => {
    expect(() => checkGoVersion(version, "kubeadm v1.36.3")).not.toThrow();
  },
);

test.each(["go1.20.14", "go1.4", "", "gccgo"])(
  '"%s" is refused, and the error says for what',
  (version) => {
    expect(() => checkGoVersion(version, "kubeadm v1.36.3")).toThrow(
      /kubeadm v1\.36\.3 has to be built/,
    );
  },
);
