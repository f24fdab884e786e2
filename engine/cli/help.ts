/** What follows the options in --help: how one would really use it. */
export const mainHelp = `
Examples:
  Try it on real hosts of this machine (the lab needs root):
    $ run-playbook bootstrap.ts --lab --yes

  Run a playbook of your own on your own hosts; look first, then do it:
    $ run-playbook mine.ts -i inventory/prod.ts --check --diff
    $ run-playbook mine.ts -i inventory/prod.ts

  Have it reviewed first, and then make just that:
    $ run-playbook mine.ts -i inventory/prod.ts --plan-out plan.json
    $ run-playbook --apply-plan plan.json --list
    $ run-playbook --apply-plan plan.json

  See what it would touch, without a connection:
    $ run-playbook mine.ts --list
    $ run-playbook mine.ts --graph > graph.mmd

  A part of it:
    $ run-playbook mine.ts --limit workers --only "kernel,containerd"
    $ run-playbook mine.ts --param version=v1.36.3 --param 'peers=["2001:db8::1"]'

  Go on with a run that was killed, interrupted or failed:
    $ run-playbook runs
    $ run-playbook resume last

  For programs and logs:
    $ run-playbook mine.ts --output json | jq 'select(.type == "recap")'

Exit codes:
  0 converged   1 a step failed   2 usage, playbook or inventory is wrong
  3 changes pending (--check)     4 window closed     130 interrupted`;
