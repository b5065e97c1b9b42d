import { createClient } from "partyline/client";
import { MAX_NAME } from "../message.ts";
import { createComposer } from "./composer.ts";
import { type Away, connectionText, followAway } from "./connection.ts";
import { find, make, setText } from "./dom.ts";
import { type Identity, recallIdentity, rememberIdentity } from "./identity.ts";
import { createMessageList } from "./message-list.ts";
import { Room } from "./room.ts";
import { FIRST_ROOMS, roomHash, roomName, roomOf } from "./rooms.ts";
import { layOut } from "./rows.ts";
import { createScroll } from "./scroll.ts";
import { typingSentence } from "./typing.ts";

const client = createClient("/");
const rooms = new Map<string, Room>();
const recalled = recallIdentity();
let me: Identity = recalled.identity;
let here: Room;
/** The newest that is shown of the open room: what stands behind it is new. */
let newest: Room["log"][number] | undefined;

const list = find("log", HTMLElement);
const messages = createMessageList(list, {
  tryAgain: (id) => here.tryAgain(id),
  discard: (id) => here.discard(id),
});
const scroll = createScroll(list, find("newer", HTMLButtonElement));
const composer = createComposer({
  say(text) {
    here.say(text);
    scroll.toEnd();
  },
  tellTyping: (typing) => here.tellTyping(typing),
});

// --- rooms ---

function enter(name: string): Room {
  let room = rooms.get(name);
  if (room === undefined) {
    room = new Room(client, name, () => me, show);
    rooms.set(name, room);
  }
  return room;
}

function openRoom(name: string): void {
  const room = enter(name);
  if (room === (here as Room | undefined)) return;
  here = room;
  here.unread = 0;
  document.title = `${name} · partyline chat`;
  setText(find("room", HTMLElement), name);
  composer.setRoom(name);
  // A whole room is no news: it is read when one goes there, not out loud.
  list.setAttribute("aria-live", "off");
  list.setAttribute("aria-label", `Messages in ${name}`);
  newest = here.log.at(-1);
  show(here);
  scroll.toEnd();
  requestAnimationFrame(() => list.removeAttribute("aria-live"));
}

function show(room: Room): void {
  if (room === here) room.unread = 0;
  showRooms();
  if (room !== here) return;
  const isNews = (item: Room["log"][number]): boolean => item.kind === "missing" || item.by !== me.by;
  const added = room.log
    .slice(newest === undefined ? 0 : room.log.lastIndexOf(newest) + 1)
    .filter(isNews).length;
  newest = room.log.at(-1);
  scroll.around(() => messages.show(layOut(room.log, room.unsent, me.by, Date.now())), added);
  const note =
    room.refusal?.message ?? (room.loading ? "Loading what was said …" : "Nobody has said anything yet.");
  find("empty", HTMLElement).hidden = room.log.length + room.unsent.length > 0;
  setText(find("empty", HTMLElement), note);
  showTyping();
}

function showRooms(): void {
  const items = [...rooms.values()].map((room) => {
    const link = make("a", { text: room.name });
    link.href = roomHash(room.name);
    if (room === here) link.setAttribute("aria-current", "page");
    if (room.unread > 0) link.append(make("span", { class: "unread", text: `${room.unread} new` }));
    return make("li", {}, link);
  });
  const nav = find("rooms", HTMLElement);
  const text = items.map((item) => item.outerHTML).join();
  // Links that are the same stay the same, so that focus does.
  if (nav.dataset.shown === text) return;
  const focused = nav.contains(document.activeElement)
    ? document.activeElement?.getAttribute("href")
    : undefined;
  nav.dataset.shown = text;
  nav.replaceChildren(...items);
  if (focused !== undefined) nav.querySelector<HTMLElement>(`a[href="${focused}"]`)?.focus();
}

function showTyping(): void {
  setText(find("typing", HTMLElement), typingSentence(here.typing.names(Date.now())));
}

// --- connection ---

let away: Away | undefined;

function showConnection(): void {
  const now = performance.now();
  away = followAway(away, client.state, now);
  const { label, why, detail } = connectionText(client.state, away, now);
  document.body.dataset.connection = client.state.status;
  setText(find("status", HTMLElement), label);
  find("why", HTMLElement).hidden = why === "";
  setText(find("reason", HTMLElement), why);
  setText(find("detail", HTMLElement), detail);
}

// --- name ---

function showName(): void {
  setText(find("me", HTMLElement), me.name === "" ? "…" : me.name);
}

function askName(): void {
  const dialog = find("naming", HTMLDialogElement);
  find("name", HTMLInputElement).value = me.name;
  // A dialog that closes gives focus back to where it was, at once: whoever types on loses no letter.
  composer.focus();
  dialog.showModal();
}

find("name", HTMLInputElement).maxLength = MAX_NAME;
find("rename", HTMLButtonElement).addEventListener("click", askName);
find("naming", HTMLDialogElement).addEventListener("close", () => {
  const name = find("name", HTMLInputElement).value.trim();
  // Whoever closes the dialog without a name is called something all the same.
  me = { ...me, name: name === "" ? me.name || `Guest ${me.by.slice(0, 3).toUpperCase()}` : name };
  rememberIdentity(me);
  showName();
});

find("join", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  const input = find("join-name", HTMLInputElement);
  const name = roomName(input.value);
  if (name === "") return;
  input.value = "";
  location.hash = roomHash(name);
});

/** Opens the room that the address asks for, and writes the address as the links do. */
function openAddress(): void {
  const name = roomOf(new URL(location.href));
  if (location.hash !== "") history.replaceState(null, "", roomHash(name));
  openRoom(name);
}

addEventListener("hashchange", openAddress);
client.on("state", showConnection);
setInterval(() => {
  showConnection();
  showTyping();
}, 1000);

for (const name of FIRST_ROOMS) enter(name);
openAddress();
showName();
showConnection();
if (recalled.known) composer.focus();
else askName();
