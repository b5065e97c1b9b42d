import { listen } from "example-site";
import { createGallery } from "./app.ts";

const gallery = createGallery();
const url = await listen(gallery.http, Number(process.env.PORT ?? 8080));
console.log(`\npartyline examples: ${url}\n`);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    gallery.close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
}
