import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";

// The page is served by the explorer's own program under a strict Content-Security-Policy:
// nothing is inlined, and nothing comes from elsewhere.
export default defineConfig({
  plugins: [vue()],
  base: "/",
  build: {
    outDir: "dist",
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // ECharts' part with its charts is the largest: pages with a chart alone fetch it.
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "vue", test: /node_modules[\\/](@vue|vue|vue-router)[\\/]/ },
            { name: "charts", test: /node_modules[\\/](echarts|zrender)[\\/]/ },
          ],
        },
      },
    },
  },
  worker: { format: "es" },
  define: {
    __GENESIS__: JSON.stringify(process.env.BILLCHAIN_GENESIS ?? ""),
  },
  server: {
    port: Number(process.env.PORT ?? 40310),
    strictPort: true,
    proxy: { "/api": { target: process.env.EXPLORER ?? "http://127.0.0.1:40300", changeOrigin: false } },
  },
  test: {
    environment: "happy-dom",
    include: ["tests/unit/**/*.test.ts"],
  },
});
