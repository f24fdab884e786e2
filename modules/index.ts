export * from "./kubernetes.ts";
export { remoteFile } from "./remote-file/remote-file.ts";
export { sysctl } from "./sysctl/sysctl.ts";
