/** How many hosts a set is known to have, in the type: it decides the shape of a step's `out`. */
export type Arity = "one" | "many";

/** Some of the inventory's hosts, in inventory order. */
export class HostSet<out N extends Arity = Arity> {
  declare readonly arity: N;
  /** As people name it in output: "controlPlane", "controlPlane.first". */
  readonly name: string;
  readonly hosts: readonly string[];

  constructor(name: string, hosts: readonly string[]) {
    this.name = name;
    this.hosts = hosts;
  }

  /** The first host alone; an empty group gives an empty set, on which a step has nothing to do. */
  get first(): HostSet<"one"> {
    return new HostSet<"one">(`${this.name}.first`, this.hosts.slice(0, 1));
  }

  /** All but the first. */
  get rest(): HostSet<"many"> {
    return new HostSet<"many">(`${this.name}.rest`, this.hosts.slice(1));
  }

  and(other: HostSet): HostSet<"many"> {
    const hosts = [...this.hosts, ...other.hosts.filter((host) => !this.hosts.includes(host))];
    return new HostSet<"many">(`${this.name}+${other.name}`, hosts);
  }

  except(other: HostSet): HostSet<"many"> {
    const hosts = this.hosts.filter((host) => !other.hosts.includes(host));
    return new HostSet<"many">(`${this.name}-${other.name}`, hosts);
  }
}

/** The name under which the control machine itself is a host. */
export const CONTROL = "localhost";
