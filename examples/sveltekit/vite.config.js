import adapter from "@sveltejs/adapter-node";
import { sveltekit } from "@sveltejs/kit/vite";
import { defineConfig } from "vite";

/** What browsers call the app: SvelteKit takes the app's forms from there only. */
const origin = `http://localhost:${process.env.PORT ?? 3000}`;

export default defineConfig({ plugins: [sveltekit({ adapter: adapter(), paths: { origin } })] });
