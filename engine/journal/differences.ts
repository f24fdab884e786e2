import { listed, oneLine } from "../report/text.ts";
import type { Begun, OutlinedInventory, OutlinedStep } from "./format.ts";

/** What two runs are compared by. */
export type Outline = Pick<Begun, "engine" | "sources" | "steps" | "inventory">;

/** What is no longer as it was, a line each; empty where all is the same. Both sides are printed with the same key. */
export function differences(before: Outline, now: Outline): string[] {
  return [
    ...(before.engine === now.engine
      ? []
      : [`run-playbook was ${before.engine}, and is ${now.engine}`]),
    ...sources(before.sources, now.sources),
    ...inventories(before.inventory, now.inventory),
    ...steps(before.steps, now.steps),
  ];
}

type Named<T> = Readonly<Record<string, T>>;

function sources(before: Named<string>, now: Named<string>): string[] {
  return keysOf(before, now).flatMap((path) => {
    if (before[path] === undefined) return [`${path} is part of it now`];
    if (now[path] === undefined) return [`${path} is no longer part of it`];
    return before[path] === now[path] ? [] : [`${path} was edited`];
  });
}

function inventories(before: OutlinedInventory, now: OutlinedInventory): string[] {
  return [
    ...keysOf(before.hosts, now.hosts).flatMap((name) => {
      const [was, is] = [before.hosts[name], now.hosts[name]];
      if (was === undefined) return [`host ${name} is new in the inventory`];
      if (is === undefined) return [`host ${name} is gone from the inventory`];
      return [
        ...keysOf(was.place, is.place).flatMap((field) => {
          const [from, to] = [was.place[field] ?? "unset", is.place[field] ?? "unset"];
          return from === to ? [] : [`host ${name}: ${field} ${oneLine(from)} → ${oneLine(to)}`];
        }),
        ...changed(was.settings, is.settings).map((field) => `host ${name}: its ${field} differs`),
      ];
    }),
    ...keysOf(before.groups, now.groups).flatMap((name) =>
      members(`group ${name}`, before.groups[name], now.groups[name]),
    ),
    ...changed(before.settings, now.settings).map((field) => `settings: ${field} differs`),
  ];
}

function members(what: string, was: readonly string[] = [], is: readonly string[] = []): string[] {
  const come = is.filter((host) => !was.includes(host));
  const gone = was.filter((host) => !is.includes(host));
  const order = come.length + gone.length === 0 && was.join("\0") !== is.join("\0");
  return [
    ...(come.length === 0 ? [] : [`${what}: now with ${names(come)}`]),
    ...(gone.length === 0 ? [] : [`${what}: no longer with ${names(gone)}`]),
    ...(order ? [`${what}: in another order`] : []),
  ];
}

function steps(before: readonly OutlinedStep[], now: readonly OutlinedStep[]): string[] {
  const was = new Map(before.map((step) => [step.step, step]));
  const is = new Map(now.map((step) => [step.step, step]));
  const labels = new Set([...was.keys(), ...is.keys()]);
  return Array.from(labels).flatMap((label) => {
    const [one, other] = [was.get(label), is.get(label)];
    const what = `step "${oneLine(label)}"`;
    if (one === undefined) return [`${what} is new`];
    if (other === undefined) return [`${what} is gone`];
    return [
      ...(one.module === other.module || other.module === "" || one.module === ""
        ? []
        : [`${what}: ${one.module} → ${other.module}`]),
      ...members(what, one.hosts, other.hosts),
      ...changed(one.options, other.options).map((field) => `${what}: its ${field} differs`),
      ...params(one, other).map((difference) => `${what}: ${difference}`),
    ];
  });
}

function params(before: OutlinedStep, now: OutlinedStep): string[] {
  const both = before.hosts.filter((host) => now.hosts.includes(host));
  return keysOf(before.params, now.params).flatMap((name) => {
    const printOn = ({ params }: OutlinedStep, host: string) => {
      const print = params[name];
      return typeof print === "object" ? print[host] : print;
    };
    const on = both.filter((host) => printOn(before, host) !== printOn(now, host));
    const where = on.length === both.length ? "" : ` on ${names(on)}`;
    return on.length === 0 ? [] : [`${name === "" ? "its params" : name} differs${where}`];
  });
}

const changed = (before: Named<string>, now: Named<string>): string[] =>
  keysOf(before, now)
    .filter((name) => before[name] !== now[name])
    .map((name) => (name === "" ? "value" : name));

const keysOf = (...of: Named<unknown>[]): string[] => Array.from(new Set(of.flatMap(Object.keys)));

const names = (all: readonly string[]): string => oneLine(listed(all, 5));
