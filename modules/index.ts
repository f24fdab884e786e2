export * from "./kubernetes.ts";
export { sysctl } from "./sysctl/sysctl.ts";
