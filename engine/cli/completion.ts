import { PlaybookError } from "../errors/error.ts";

// The scripts know nothing: every word is completed by asking the command itself, so they never go stale.
const scripts: Readonly<Record<string, string>> = {
  bash: `_run_playbook() {
  local words
  mapfile -t words < <(run-playbook __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  COMPREPLY=()
  local word
  for word in "\${words[@]}"; do COMPREPLY+=("$(printf '%q' "$word")"); done
  [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *= ]] && compopt -o nospace
}
complete -o default -F _run_playbook run-playbook
`,
  zsh: `#compdef run-playbook
_run_playbook() {
  local -a found
  found=("\${(@f)$(run-playbook __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${found[*]}" ]]; then compadd -- "\${found[@]}"; else _files; fi
}
compdef _run_playbook run-playbook
`,
  fish: `complete -c run-playbook -a '(run-playbook __complete (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
`,
};

/** The script that teaches a shell to complete our command line. */
export function completionScript(shell: string): string {
  const script = scripts[shell];
  if (script !== undefined) return script;
  throw new PlaybookError("PB_USAGE", [`There is no completion for "${shell}".`], {
    hint: `There is one for ${Object.keys(scripts).join(", ")}.`,
  });
}

/** The shells that have one. */
export const shells: readonly string[] = Object.keys(scripts);
