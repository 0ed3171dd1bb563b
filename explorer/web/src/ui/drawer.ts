import "element-plus/theme-chalk/el-drawer.css";
import "element-plus/theme-chalk/el-overlay.css";
export { ElDrawer } from "element-plus/es/components/drawer/index.mjs";
