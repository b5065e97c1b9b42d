import { listen } from "example-site";
import { createGallery } from "./app.ts";

const { http, close } = createGallery();
const url = await listen(http, Number(process.env.PORT ?? 8080));
console.log(`\npartyline examples: ${url}\n`);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
}
