/** Schemas of what clusters, images and nodes are named by. */
import { z } from "zod";
import { DnsName } from "./params.ts";

/** A node, as the API knows it. */
export const NodeName = DnsName;

/** A container image, with registry and tag; empty for none. */
export const ImageRef = z
  .string()
  .regex(/^([a-z0-9[][\w.:/@[\]-]*)?$/i, "expected an image, as registry.k8s.io/pause:3.10.2");

/** A registry as images name it, with its port: a folder is named after it. */
export const Registry = z
  .string()
  .regex(
    /^[a-z0-9_[][\w.:[\]-]*$/i,
    "expected a registry, as registry.k8s.io or [2001:db8::5]:5000",
  );

/** The key of a label or taint, with its prefix. */
export const LabelKey = z
  .string()
  .max(317)
  .regex(
    /^([a-z0-9]([a-z0-9.-]*[a-z0-9])?\/)?[a-z0-9]([\w.-]*[a-z0-9])?$/i,
    "expected a key, as node-role.kubernetes.io/worker",
  );

/** The value of a label or taint. */
export const LabelValue = z
  .string()
  .max(63)
  .regex(/^([a-z0-9]([\w.-]*[a-z0-9])?)?$/i, "expected letters, digits, dots, hyphens");

/** The pin of a cluster's CA. */
export const CaCertHash = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, "expected sha256: and 64 hexadecimal digits");
