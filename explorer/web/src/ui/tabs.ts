import "element-plus/theme-chalk/el-tabs.css";
import "element-plus/theme-chalk/el-tab-pane.css";
export { ElTabPane, ElTabs } from "element-plus/es/components/tabs/index.mjs";
