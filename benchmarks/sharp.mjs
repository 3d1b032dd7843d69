// sharp.mjs FOLDER PASSES FILE...: prints the seconds that PASSES over the files took, a line for each.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const [folder, passes, ...paths] = process.argv.slice(2);
const sharp = createRequire(folder + "/")("sharp");
sharp.concurrency(1);
const bodies = paths.map((path) => readFileSync(path));
const seconds = bodies.map(() => 0);
for (let pass = 0; pass < Number(passes); pass++) {
  for (const [number, body] of bodies.entries()) {
    const began = process.hrtime.bigint();
    await sharp(body).resize(128, 128, { fit: "cover" }).jpeg({ quality: 95 }).toBuffer();
    seconds[number] += Number(process.hrtime.bigint() - began) / 1e9;
  }
}
console.log(seconds.join("\n"));
