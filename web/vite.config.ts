/** Builds the screens into api/static/dist: hashed names, a manifest for the templates, and the courier's service worker. */
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";

const BASE = "/static/dist/";
const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Writes into sw.js the list of files the courier page needs to open without a network. */
function courierShell(): Plugin {
  return {
    name: "courier-shell",
    enforce: "post",
    generateBundle(_options, bundle) {
      const worker = bundle["sw.js"];
      const entry = Object.values(bundle).find(
        (part) => part.type === "chunk" && part.name === "courier" && part.isEntry,
      );
      if (worker?.type !== "chunk" || entry?.type !== "chunk")
        throw new Error("courier entry or its service worker is missing");
      const files = new Set<string>();
      const visit = (name: string): void => {
        const part = bundle[name];
        if (files.has(name) || part?.type !== "chunk") return;
        files.add(name);
        part.viteMetadata?.importedCss.forEach((css) => files.add(css));
        part.viteMetadata?.importedAssets.forEach((asset) => files.add(asset));
        [...part.imports, ...part.dynamicImports].forEach(visit);
      };
      visit(entry.fileName);
      // Fonts are named only inside the style sheets.
      for (const name of [...files].filter((file) => file.endsWith(".css"))) {
        const sheet = bundle[name];
        const text = sheet?.type === "asset" ? String(sheet.source) : "";
        for (const [, file] of text.matchAll(/url\(["']?\/static\/dist\/([^"')]+)/g)) if (file) files.add(file);
      }
      const list = [...files].sort().map((name) => BASE + name);
      list.push(`${BASE}icon.svg`, `${BASE}manifest.webmanifest`);
      const version = createHash("sha256").update(list.join("\n")).digest("hex").slice(0, 12);
      worker.code = worker.code
        .replaceAll("__SHELL_FILES__", JSON.stringify(list))
        .replaceAll("__SHELL_VERSION__", JSON.stringify(version));
    },
  };
}

export default defineConfig({
  base: BASE,
  plugins: [courierShell()],
  build: {
    outDir: at("../api/static/dist"),
    emptyOutDir: true,
    manifest: true,
    assetsInlineLimit: 0, // the content security policy allows no data: fonts
    modulePreload: { polyfill: false }, // keeps sw.js a plain script
    rolldownOptions: {
      input: {
        board: at("src/board/main.tsx"),
        courier: at("src/courier/main.tsx"),
        page: at("src/shared/page.ts"),
        sw: at("src/courier/sw.ts"),
      },
      output: {
        entryFileNames: (chunk) => (chunk.name === "sw" ? "sw.js" : "assets/[name]-[hash].js"),
        chunkFileNames: "assets/[name]-[hash].js",
        assetFileNames: "assets/[name]-[hash][extname]",
      },
    },
  },
});
