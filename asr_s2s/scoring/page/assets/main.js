drawHead();
drawRates();
drawRemarks();
drawGroups();
drawErrors();
startPlayer();
startTable();
