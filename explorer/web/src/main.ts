/** Starts the page. */

import { createApp } from "vue";
import App from "./App.vue";
import { chosenLocale, speak } from "./i18n";
import { startTheme } from "./lib/theme";
import { router } from "./router";
import "element-plus/theme-chalk/base.css";
import "element-plus/theme-chalk/dark/css-vars.css";
import "./styles/main.css";

startTheme();
speak(chosenLocale());
createApp(App).use(router).mount("#app");
