import "element-plus/theme-chalk/el-timeline.css";
import "element-plus/theme-chalk/el-timeline-item.css";
export { ElTimeline, ElTimelineItem } from "element-plus/es/components/timeline/index.mjs";
