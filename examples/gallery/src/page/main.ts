/** Puts this site's own address into the commands, so that they can be pasted as they stand. */
for (const place of document.querySelectorAll<HTMLElement>("[data-origin]"))
  place.textContent = location.origin;
