import type { HubPost, ToHub, ToTab } from "./messages.ts";
import type { Tabs, Voice } from "./tabs.ts";

/** A tab, as its hub knows it. */
export interface Member {
  readonly id: string;
  /** @param size Characters, as far as they count. */
  give(item: ToTab, size?: number): void;
  /** The tab says that it has taken so much of what it was given. */
  heard(size: number): void;
  /** Tells it that it is none any more, after what it was given. */
  letGo(): void;
}

/** The tabs of a hub. */
export interface Members {
  readonly all: () => Iterable<Member>;
  get(id: string): Member | undefined;
  /** Takes one more; one that is known begins anew. */
  add(id: string): void;
  /** Forgets one that has gone. */
  remove(id: string): void;
  /** Lets all go. */
  close(): void;
}

/** What the members of one hub have in common. */
export interface MembersPort {
  readonly tabs: Tabs;
  readonly base: string;
  readonly hub: string;
  readonly hear: (member: Member, message: ToHub) => void;
  /** It is no member any more. */
  readonly gone: (member: Member) => void;
}

const MAX_MEMBERS = 100;

/**
 * Characters under way to one tab. A tab that takes nothing, as one that hangs, is let go at that: what is said to
 * it waits in the browser, which knows no bound. When it wakes up it joins again, from where it stands.
 */
const MAX_UNDER_WAY = 1024 * 1024;

/** The name of the lock that a tab holds as long as it lives. */
export const lifeOf = (base: string, tab: string): string => `${base}/life/${tab}`;

/** Where a hub is told who wants to join. */
export const doorOf = (base: string, hub: string): string => `${base}/${hub}`;

/** Where a hub and one of its tabs talk: nobody else gets, or has to take, what is said there. */
export const roomOf = (base: string, hub: string, tab: string): string => `${base}/${hub}/${tab}`;

export function createMembers({ tabs, base, hub, hear, gone }: MembersPort): Members {
  const members = new Map<string, { readonly member: Member; stop(): void; flush(): void }>();

  const post = (voice: Voice, message: HubPost): boolean => {
    try {
      voice.post(message);
      return true;
    } catch {
      return false;
    }
  };
  const flushAll = (): void => {
    flushing = false;
    for (const known of [...members.values()]) known.flush();
  };
  let flushing = false;
  /** All that comes with one read of the connection goes at once. */
  const flushSoon = (): void => {
    if (flushing) return;
    flushing = true;
    void Promise.resolve().then(flushAll);
  };

  const remove = (id: string): void => {
    const known = members.get(id);
    if (!known) return;
    members.delete(id);
    known.flush();
    known.stop();
    gone(known.member);
  };
  const add = (id: string): void => {
    remove(id);
    let items: ToTab[] = [];
    let given = 0;
    let taken = 0;
    const member: Member = {
      id,
      give(item, size = 0) {
        items.push(item);
        given += size;
        if (given - taken > MAX_UNDER_WAY) member.letGo();
        else flushSoon();
      },
      heard(size) {
        taken = size;
      },
      letGo() {
        items.push({ t: "bye", full: false });
        remove(id);
      },
    };
    const voice: Voice = tabs.join<ToHub>(roomOf(base, hub, id), (message) => hear(member, message));
    // Whoever dies gives back its lock without a word.
    const stopWaiting = tabs.lock(lifeOf(base, id), { granted: () => remove(id) });
    members.set(id, {
      member,
      flush() {
        const due = items;
        items = [];
        if (due.length === 0 || post(voice, { given, items: due })) return;
        // What could not be posted never will be: the tab reads it over a connection of its own.
        post(voice, { given, items: [{ t: "bye", full: true }] });
        remove(id);
      },
      stop() {
        stopWaiting();
        voice.close();
      },
    });
  };

  return {
    all: () => [...members.values()].map(({ member }) => member),
    get: (id) => members.get(id)?.member,
    add(id) {
      if (members.has(id) || members.size < MAX_MEMBERS) add(id);
      else {
        const voice = tabs.join(roomOf(base, hub, id));
        post(voice, { given: 0, items: [{ t: "bye", full: true }] });
        voice.close();
      }
    },
    remove,
    close() {
      for (const { member } of [...members.values()]) member.letGo();
    },
  };
}
