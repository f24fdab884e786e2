/** Where the lab's services listen, on the machine's end of the lab's cable: packages, files, images. */
export const APT_PORT = 3142;
export const MIRROR_PORT = 8080;
export const REGISTRY_PORT = 5000;
/** The delay line of the cable; a host's line is its index above. */
export const CABLE_LINE_PORT = 7000;
