import "element-plus/theme-chalk/el-segmented.css";
export { ElSegmented } from "element-plus/es/components/segmented/index.mjs";
