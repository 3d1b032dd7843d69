// sharp.mjs FOLDER PASSES FILE...: prints the seconds that PASSES over the files took.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const [folder, passes, ...paths] = process.argv.slice(2);
const sharp = createRequire(folder + "/")("sharp");
sharp.concurrency(1);
const bodies = paths.map((path) => readFileSync(path));
const began = process.hrtime.bigint();
for (let pass = 0; pass < Number(passes); pass++) {
  for (const body of bodies) {
    await sharp(body).resize(128, 128, { fit: "cover" }).jpeg({ quality: 95 }).toBuffer();
  }
}
console.log(Number(process.hrtime.bigint() - began) / 1e9);
