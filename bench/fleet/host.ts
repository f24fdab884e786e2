/** What a simulated host says: a framed shell that knows the work and nothing else, all of it done. */
import { files } from "../workload.ts";

const STAMP = "2026-11-26 10:00:00.000000000 +0000";

/** What the first command line of a connection prints. @throws where it is none of ours */
export function greeting(commandLine: string): string {
  const hello = /printf "\\001%s %s\\n" ([0-9a-f]+)/.exec(commandLine)?.[1];
  if (hello === undefined) throw new Error(`no greeting is asked for in ${commandLine}`);
  return `\x01${hello} 4711\n${INTRODUCTION}\x01${hello}\n`;
}

const INTRODUCTION = `uname Linux simulated 6.12.0 x86_64
boot 5f0c6a5e-0000-4000-8000-000000000001
memory 4194304
cpus 2
cgroup v2
ID=debian
VERSION_ID="13"
VERSION_CODENAME=trixie
`;

export interface Answer {
  readonly stdout: string;
  readonly stderr: string;
}

/** Answers the frames that a shell is sent, in order. */
export class SimulatedShell {
  #heard = "";

  /** What the host says to what it heard so far. */
  hear(text: string): Answer[] {
    this.#heard += text;
    const answers: Answer[] = [];
    for (;;) {
      const frame = /_pb_b ([0-9a-f]+)\n([\s\S]*?)\n_pb_e \1(?: 1)?\n/.exec(this.#heard);
      if (frame === null) return answers;
      const [whole, nonce = "", body = ""] = frame;
      this.#heard = this.#heard.slice(frame.index + whole.length);
      answers.push({
        stdout: `${answerTo(body)}\x01${nonce}E 0 0\n`,
        stderr: `\x01${nonce}E\n`,
      });
    }
  }
}

function answerTo(body: string): string {
  if (body.includes("systemctl show")) return unitAnswer(body);
  // The lock is taken, kept and given back.
  if (body.includes("flock")) return "";
  const look = /^\( _pb_look (\d+) (.*) \) <\/dev\/null/.exec(body);
  if (look === null) throw new Error(`a simulated host does not know ${body}`);
  const paths = Array.from((look[2] ?? "").matchAll(/'([^']*)'/g), ([, path = ""]) => path);
  return lookAnswer(paths, Number(look[1]));
}

/** As many units as are asked for are as wanted. */
function unitAnswer(body: string): string {
  const units = body.match(/'bench-\d\.service'/g) ?? [];
  return `Now=1795687200\n${units.map(() => UNIT).join("\n")}`;
}

const UNIT = `LoadState=loaded
ActiveState=active
SubState=running
UnitFileState=enabled
Type=simple
RemainAfterExit=no
NeedDaemonReload=no
ExecMainStartTimestamp=Thu 2026-11-26 10:00:00.000000 UTC
ActiveEnterTimestamp=Thu 2026-11-26 10:00:00.000000 UTC
`;

const byPath = new Map(files.map((file) => [file.path, file]));

function lookAnswer(paths: readonly string[], stats: number): string {
  const letters = paths.map((_, index) => (index < stats ? "e" : "f")).join("");
  const lines = paths.map(statOf);
  const read = paths.slice(stats);
  const content = read.map((path) => byPath.get(path)?.content ?? "").join("");
  const again = lines.slice(stats).join("");
  return `${letters}\n${lines.join("")}${read.length === 0 ? "" : `\0${content}${again}`}`;
}

function statOf(path: string): string {
  const file = byPath.get(path);
  if (file === undefined) return `41ed 0 root 0 root 4096 ${STAMP}\n`;
  const mode = (0o100000 | Number.parseInt(file.mode, 8)).toString(16);
  const id = file.owner === "root" ? 0 : 1000;
  return `${mode} ${id} ${file.owner} ${id} ${file.group} ${file.content.length} ${STAMP}\n`;
}
