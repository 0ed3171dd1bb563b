import "element-plus/theme-chalk/el-checkbox.css";
import "element-plus/theme-chalk/el-checkbox-group.css";
export { ElCheckbox, ElCheckboxGroup } from "element-plus/es/components/checkbox/index.mjs";
