import { homedir, userInfo } from "node:os";

/** Who runs this process; in a container the user may have a number and no name. */
export function loginName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? "?"}`;
  }
}

/** The user's own folder; that of everybody, where neither $HOME nor the user database says one. */
export function homeFolder(): string {
  try {
    return homedir();
  } catch {
    return "/";
  }
}
