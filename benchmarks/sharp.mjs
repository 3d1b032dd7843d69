// sharp.mjs FOLDER PASSES FILE...: prints the seconds of CPU that PASSES over the files took, a line for each.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const [folder, passes, ...paths] = process.argv.slice(2);
const sharp = createRequire(folder + "/")("sharp");
sharp.concurrency(1);
const bodies = paths.map((path) => readFileSync(path));
const seconds = bodies.map(() => 0);
for (let pass = 0; pass < Number(passes); pass++) {
  for (const [number, body] of bodies.entries()) {
    const began = process.cpuUsage();
    await sharp(body).resize(128, 128, { fit: "cover" }).jpeg({ quality: 95 }).toBuffer();
    const used = process.cpuUsage(began);
    seconds[number] += (used.user + used.system) / 1e6;
  }
}
console.log(seconds.join("\n"));
