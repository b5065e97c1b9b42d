/** What a connection gives back when it ends: its place within the limits. Shared by all of one address. */
export interface Seat {
  leave(): void;
}
