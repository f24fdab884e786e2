/** Where the lab's package proxy listens, on the machine's end of the lab's cable. */
export const APT_PORT = 3142;
