import { expect, test } from "vitest";
import { wrapperEdits } from "#lab/artifacts/go/module.ts";

const wrapper = {
  name: "kubernetes",
  requires: ["k8s.io/kubernetes"],
  version: "v1.36.3",
  tools: ["k8s.io/kubernetes/cmd/kubeadm"],
} as const;

const theirs = {
  Go: "1.26.0",
  Godebug: [{ Key: "default", Value: "go1.26" }],
  Replace: [
    { Old: { Path: "k8s.io/api" }, New: { Path: "./staging/src/k8s.io/api" } },
    { Old: { Path: "example.org/fork" }, New: { Path: "example.org/fork2" } },
  ],
};

test("modules kept in folders are taken from their own releases", () => {
  expect(wrapperEdits({ ...wrapper, nestedVersion: "v0.36.3" }, theirs)).toEqual([
    "-go=1.26.0",
    "-godebug=default=go1.26",
    "-require=k8s.io/kubernetes@v1.36.3",
    "-replace=k8s.io/api=k8s.io/api@v0.36.3",
    "-tool=k8s.io/kubernetes/cmd/kubeadm",
  ]);
});

test("without such a release nothing is replaced", () => {
  expect(wrapperEdits(wrapper, { Go: "1.24", Godebug: null, Replace: null })).toEqual([
    "-go=1.24",
    "-require=k8s.io/kubernetes@v1.36.3",
    "-tool=k8s.io/kubernetes/cmd/kubeadm",
  ]);
});
