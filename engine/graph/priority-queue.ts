/** Gives back the entry with the lowest rank first: a binary heap, so that thousands of ready nodes cost little. */
export class PriorityQueue<T> {
  readonly #heap: T[] = [];
  readonly #rank: (entry: T) => number;

  constructor(rank: (entry: T) => number) {
    this.#rank = rank;
  }

  get size(): number {
    return this.#heap.length;
  }

  /** The entry that comes next, left where it is. */
  get first(): T | undefined {
    return this.#heap[0];
  }

  push(entry: T): void {
    const heap = this.#heap;
    heap.push(entry);
    let child = heap.length - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!this.#swapIfLower(child, parent)) return;
      child = parent;
    }
  }

  pop(): T | undefined {
    const heap = this.#heap;
    const lowest = heap[0];
    const last = heap.pop();
    if (lowest === undefined || last === undefined || heap.length === 0) return lowest;
    heap[0] = last;
    let parent = 0;
    for (;;) {
      const child = this.#lowerChild(parent);
      if (child === undefined || !this.#swapIfLower(child, parent)) return lowest;
      parent = child;
    }
  }

  #rankAt(index: number): number {
    const entry = this.#heap[index];
    return entry === undefined ? Number.POSITIVE_INFINITY : this.#rank(entry);
  }

  #lowerChild(parent: number): number | undefined {
    const left = 2 * parent + 1;
    if (left >= this.#heap.length) return undefined;
    return this.#rankAt(left + 1) < this.#rankAt(left) ? left + 1 : left;
  }

  #swapIfLower(child: number, parent: number): boolean {
    if (this.#rankAt(child) >= this.#rankAt(parent)) return false;
    const [a, b] = [this.#heap[child] as T, this.#heap[parent] as T];
    this.#heap[child] = b;
    this.#heap[parent] = a;
    return true;
  }
}
