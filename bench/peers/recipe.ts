/** What the root is made of in which the peers written in Python run; its hash names the cached result. */
export const peersRecipe = {
  suite: "trixie",
  components: "main",
  packages: ["python3", "python3-venv", "openssh-client", "ca-certificates"],
  /** Debian 13's Python, for the wheels. */
  python: "3.13",
  /** From PyPI, the current ones. */
  fromPypi: { "ansible-core": "2.21.5", mitogen: "0.3.54", pyinfra: "3.10.0" },
} as const;
