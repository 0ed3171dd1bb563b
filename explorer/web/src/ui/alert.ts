import "element-plus/theme-chalk/el-alert.css";
export { ElAlert } from "element-plus/es/components/alert/index.mjs";
