import { parentPort, workerData } from "node:worker_threads";
import { compareSync } from "bcryptjs";

export type Question = { password: string; hash: string };

const { password, hash } = workerData as Question;

parentPort?.postMessage(compareSync(password, hash));
