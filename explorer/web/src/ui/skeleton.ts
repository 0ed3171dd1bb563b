import "element-plus/theme-chalk/el-skeleton.css";
import "element-plus/theme-chalk/el-skeleton-item.css";
export { ElSkeleton } from "element-plus/es/components/skeleton/index.mjs";
