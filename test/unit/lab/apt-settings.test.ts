import { describe, expect, it } from "vitest";
import { chooseSettings, parseDeb822, parseOneLine } from "#lab/machine/apt-settings.ts";

const machine = { dump: "", keyrings: ["debian-archive-keyring.gpg"] };

describe("apt settings of the machine", () => {
  const debian = `Types: deb deb-src
# where it was taken from
URIs: http://mirror.example/debian/
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: https://mirror.example/debian-security
Suites: bookworm-security
Components: main
Enabled: yes

Types: deb
URIs: http://off.example/debian
Suites: trixie
Components: main
Enabled: no
`;

  it("are taken from .sources files: mirrors of the archive and of security updates", () => {
    expect(chooseSettings(parseDeb822(debian), machine)).toEqual({
      archive: "http://mirror.example/debian",
      security: "https://mirror.example/debian-security",
      keyring: "/usr/share/keyrings/debian-archive-keyring.gpg",
      proxy: undefined,
      dates: {},
    });
  });

  it("are taken from sources.list lines with or without options", () => {
    const sources = parseOneLine(`# comment
deb [arch=amd64 signed-by=/etc/apt/mirror.gpg] http://mirror.example/debian bookworm main
deb http://mirror.example/debian-security bookworm-security main
deb-src http://src.example/debian bookworm main
`);
    expect(chooseSettings(sources, machine)).toMatchObject({
      archive: "http://mirror.example/debian",
      security: "http://mirror.example/debian-security",
      keyring: "/etc/apt/mirror.gpg",
    });
  });

  it("are Debian's own mirror on Ubuntu, whose sources hold no Debian", () => {
    const ubuntu = parseOneLine("deb http://archive.example/ubuntu noble main\n");
    expect(chooseSettings(ubuntu, machine)).toMatchObject({
      archive: "http://deb.debian.org/debian",
      keyring: "/usr/share/keyrings/debian-archive-keyring.gpg",
    });
  });

  it("bring apt's proxy and what it believes about dates", () => {
    const dump = `Acquire::http::Proxy "http://proxy.example:3128/";
Acquire::Check-Valid-Until "false";
`;
    expect(chooseSettings([], { ...machine, dump })).toMatchObject({
      proxy: "http://proxy.example:3128/",
      dates: { "Acquire::Check-Valid-Until": "false" },
    });
  });

  it("leave out sources that are no mirror over http", () => {
    const local = parseOneLine("deb file:/srv/debian bookworm main\n");
    expect(chooseSettings(local, machine).archive).toBe("http://deb.debian.org/debian");
  });
});
