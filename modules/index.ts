export { sysctl } from "./sysctl/sysctl.ts";
