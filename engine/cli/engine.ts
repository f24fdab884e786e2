export const execute = 1;
export const planOf = 2;
