import "element-plus/theme-chalk/el-message.css";
import "element-plus/theme-chalk/el-badge.css";
export { ElMessage } from "element-plus/es/components/message/index.mjs";
