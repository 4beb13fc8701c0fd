/** The instant it is now. Everything that needs time is given one of these, so tests own the clock. */
export type Now = () => Date;

export const systemNow: Now = () => new Date();
